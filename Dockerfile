# Builds kvlab and runs every experiment in its quick profile:
#
#   docker build -t kvlab .
#   docker run --rm -v "$PWD/results:/kvlab/results" kvlab
#
# Another profile: docker run --rm -v "$PWD/results:/kvlab/results" kvlab make reproduce PROFILE=laptop
FROM swift:6.2-noble
WORKDIR /kvlab
# What changes least first, so that a change of the sources does not install or fetch anything again.
COPY Makefile ./
COPY scripts/setup.sh scripts/setup.sh
RUN apt-get update -q && apt-get install -y -q make && make setup && rm -rf /var/lib/apt/lists/*
COPY Package.swift Package.resolved ./
RUN swift package resolve
COPY . .
RUN make build
CMD ["make", "reproduce", "PROFILE=quick"]
