"""The pages that mails link to: one job, its files, and unsubscribing."""
