"""How notices leave the house: webhooks and mails, and the loop of the worker that sends them."""
