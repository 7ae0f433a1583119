# being written by another helper (lead's note): leave it
