//! Everything between a grey crop of a face and calibrated probabilities.
