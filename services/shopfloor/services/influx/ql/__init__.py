"""The part of InfluxQL that Grafana, Node-RED and the client libraries ask in, answered from the historian."""
