"""What the microscope says: facts in, sentences out, and the sentences in English or Hebrew."""
