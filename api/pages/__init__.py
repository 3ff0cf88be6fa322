"""The pages that mails link to: a job, its files, and unsubscribing."""
