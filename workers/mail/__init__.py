"""The mail service: decides which mails are due, writes them, sends them."""
