"""What a figure is: pure definitions, no storage."""
