"""The runtime, three floors: engine (tokens), assistant (answers), service (HTTP); each ignorant of those above."""
