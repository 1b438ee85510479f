"""Copies folders of objects with proof: ledger.py keeps what is known of each object, copy_folder.py does the steps."""
