"""How the networks were taught (`ienfd.skin.learned`, `ienfd.nerve.learned`)."""
