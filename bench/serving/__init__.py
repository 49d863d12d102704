"""The parts of `bench/serve.py`: one company in two databases, two servers on it, a client that times them."""
