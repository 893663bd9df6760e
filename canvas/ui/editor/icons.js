/** The icons that steps and actions may name. Importing all of Lucide would make the page eight times as large. */

import {
  Activity, AlarmClock, Archive, Bell, Bot, Braces, Calendar, ChartColumn, CircleStop, Clock, Cloud, Code, Columns3, CreditCard,
  Database, Download, Eye, File, FileText, Filter, Folder, GitBranch, Globe, Hash, Image, Key, Link, List, Lock, Mail,
  MessageCircle, MessageSquare, Package, Pencil, Phone, Play, Repeat, ScrollText, Search, Send, Server, Shield, ShoppingCart, Shuffle,
  Sparkles, Split, Star, Table, Tag, Terminal, Timer, Trash2, Upload, User, Users, Variable, WandSparkles, Webhook, Workflow, Wrench, Zap,
} from "lucide-react";

const NAMED = {
  activity: Activity, "alarm-clock": AlarmClock, archive: Archive, bell: Bell, bot: Bot, braces: Braces, calendar: Calendar,
  "chart-column": ChartColumn, clock: Clock, cloud: Cloud, code: Code, "credit-card": CreditCard, database: Database,
  download: Download, eye: Eye, file: File, "file-text": FileText, filter: Filter, folder: Folder, globe: Globe, hash: Hash,
  image: Image, key: Key, link: Link, list: List, lock: Lock, mail: Mail, "message-circle": MessageCircle,
  "message-square": MessageSquare, package: Package, pencil: Pencil, phone: Phone, play: Play, "scroll-text": ScrollText,
  search: Search, send: Send, server: Server, shield: Shield, "shopping-cart": ShoppingCart, shuffle: Shuffle, sparkles: Sparkles, star: Star,
  table: Table, tag: Tag, terminal: Terminal, timer: Timer, trash: Trash2, upload: Upload, user: User, users: Users,
  wand: WandSparkles, "wand-sparkles": WandSparkles, webhook: Webhook, workflow: Workflow, wrench: Wrench, zap: Zap,
};

const BY_TYPE = {
  action: Zap, condition: GitBranch, switch: Split, parallel: Columns3, loop: Repeat,
  workflow_link: Workflow, wait: Timer, set: Variable, stop: CircleStop,
};

export const iconOf = (type, named) => (type === "action" && NAMED[named]) || BY_TYPE[type] || Zap;

export const TYPE_TITLES = {
  action: "Action", condition: "Condition", switch: "Switch", parallel: "Parallel", loop: "Loop",
  workflow_link: "Workflow", wait: "Wait", set: "Set values", stop: "Stop",
};

export const TYPE_HINTS = {
  condition: "Take one of two ways",
  switch: "Take one of several ways",
  parallel: "Do several things at once",
  loop: "Repeat for each item",
  workflow_link: "Run another workflow",
  wait: "Pause for a time or until a moment",
  set: "Keep values for later steps",
  stop: "End the run here",
};
