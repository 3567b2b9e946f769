"""What facts come to: pure rules, no input or output, the clock an argument."""
