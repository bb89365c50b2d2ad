"""How far the program agrees with people who count by hand: two methods for one test, compared."""
