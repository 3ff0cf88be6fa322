"""The mailbox of `make run`, for development only: shows the mails of a Maildir folder in a browser.

It exists only if MAILBOX names a folder. It treats every mail as hostile.
"""
