"""What tells others about models, maps and classes: styles, legends."""
