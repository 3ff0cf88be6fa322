"""What every process of Errand does for itself: logs, memory, ending with its parent."""
