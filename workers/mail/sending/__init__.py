"""Sends a written letter to the mail server. The only folder that knows yagmail."""
