"""Single photons: finding them, judging them, writing them down."""
