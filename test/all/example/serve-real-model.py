"""Serves a model on this machine until its standard input ends: WEIGHTS TEMPLATE PORT."""

import sys

import xllamacpp

weights, template, port = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = weights
with open(template, encoding="utf-8") as file:
    params.chat_template = file.read()
params.use_jinja = True
params.n_ctx = 8192
params.n_parallel = 1
params.port = int(port)
# More of them wait for each other on a machine that has something else to do.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
sys.stdin.read()
