"""What speaks for a label: chance, held-out images, resamples, counter-examples, and how much few images can tell."""
