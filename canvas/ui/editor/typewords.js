/** What step types and triggers are called, and what they are for. */

export const TYPE_TITLES = {
  action: "Action",
  condition: "Condition",
  switch: "Switch",
  parallel: "Parallel",
  loop: "Loop",
  workflow_link: "Workflow",
  wait: "Wait",
  set: "Set values",
  stop: "Stop",
  task: "Task",
  schedule: "Schedule",
  webhook: "Webhook",
  event: "Event",
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
  task: "Ask people to do or decide something",
  schedule: "Start by the clock",
  webhook: "Start when another program calls",
  event: "Start when something happens",
};
