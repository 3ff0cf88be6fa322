"""What every process of Errand needs: logs, garbage collection, ending with its parent, free ports, waiting."""
