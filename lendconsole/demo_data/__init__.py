"""What the demo and the tests load: invented people and borrowers; nobody here exists."""
