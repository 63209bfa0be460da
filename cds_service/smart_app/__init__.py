"""The trend as a SMART app (SMART App Launch 2.2), opened from the EHR. Judges nothing: reads as the service does."""
