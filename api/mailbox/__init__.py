"""The mailbox of `make run`, for development: it shows the mails of a Maildir folder in a browser.

Stands after the end of a job's life, where its owner reads what was told. It is there only where MAILBOX names a
folder; what it shows is taken for hostile. Next: `views.py`.
"""
