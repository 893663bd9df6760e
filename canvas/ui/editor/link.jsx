/** A link to another page of the product, which is shown without loading everything again. */

import { Link as RouterLink } from "react-router";

export const Link = ({ href, ...props }) => <RouterLink to={href} {...props} />;
