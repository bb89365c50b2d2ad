"""What leaves a study: tables now, reports later. Nothing here looks at an image."""
