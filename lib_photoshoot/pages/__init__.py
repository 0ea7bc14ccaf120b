"""The page on which pictures are looked through: one component over one data format (see :mod:`.data`).

It is a self-contained file, or served by whoever has a login or a secret address; what its pictures are of, a shoot, a
filter's run or the samples of a training, only its data know.
"""
