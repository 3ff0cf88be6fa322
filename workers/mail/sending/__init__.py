"""Sends a written mail to the mail server. The only folder that uses yagmail."""
