"""How the network that draws the junction was taught (`ienfd.skin.learned`)."""
