"""Canvas as a server of the Model Context Protocol: agents list, start and watch workflows, with a token's role."""
