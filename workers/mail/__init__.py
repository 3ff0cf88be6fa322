"""The mail service: decides which mails are due, words them, lays them out, sends them."""
