# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""A server for HTTP/2, by PyPI's h2, and HTTP/1.1, over TLS; whichever the client prefers."""


import ssl

import h2.config
import h2.connection
import h2.events

from foreign import Listener, read_request, response


class Server(Listener):
    def __init__(self, world, chain, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.spoken = []
        super().__init__(world)

    def protocols(self):
        return " and ".join(sorted(set(self.spoken))) or "nothing"

    def serve(self, raw, number):
        with self.context.wrap_socket(raw, server_side=True) as connection:
            protocol = connection.selected_alpn_protocol() or "http/1.1"
            self.spoken.append(protocol)
            (self.second if protocol == "h2" else self.first)(connection)

    def first(self, connection):
        stream = connection.makefile("rb")
        while read_request(stream):
            connection.sendall(response(200))

    def second(self, connection):
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        while data := connection.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    state.send_headers(event.stream_id, [
                        (":status", "200"), ("x-log-requestid", "5642EFA499248C827B012B39"), ("content-length", "0"),
                    ], end_stream=True)
            connection.sendall(state.data_to_send())
