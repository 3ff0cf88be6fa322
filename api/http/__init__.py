"""Reading requests and writing answers: what every view needs, so nothing here knows a view."""
