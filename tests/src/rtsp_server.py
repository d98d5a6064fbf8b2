"""A camera for the tests: serves a line of GStreamer as rtsp://127.0.0.1:PORT/live until it is ended.

    rtsp_server.py PORT play|record LINE [USER PASSWORD]

Prints "ready" when it listens. With "record" a client sends, and LINE (from depay0 on) is what becomes of it.
A line "drop" on standard input closes the connection of the client that has been connected longest.
RTSP_TRANSPORT=udp in the environment offers UDP alone; RTSP_TLS=CERTIFICATE:KEY, two PEM files, makes it rtsps.
"""

import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer

port, mode, line, *login = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( {line} )")
factory.set_shared(True)
if mode == "record":
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
if os.environ.get("RTSP_TRANSPORT") == "udp":
    factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
tls = os.environ.get("RTSP_TLS")
if login or tls:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth = GstRtspServer.RTSPAuth()
    if login:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login), token)
    else:
        auth.set_default_token(token)
    if tls:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*tls.split(":")))
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)
server.get_mount_points().add_factory("/live", factory)
if server.attach(None) == 0:
    sys.exit(f"port {port} cannot be listened on")
clients = []


def connected(_server: GstRtspServer.RTSPServer, client: GstRtspServer.RTSPClient) -> None:
    clients.append(client)
    client.connect("closed", clients.remove)


def told(source: int, condition: GLib.IOCondition) -> bool:
    line = sys.stdin.readline()
    if line.strip() == "drop" and clients:
        clients[0].close()
    return line != ""


server.connect("client-connected", connected)
GLib.io_add_watch(0, GLib.IOCondition.IN | GLib.IOCondition.HUP, told)
print("ready", flush=True)
GLib.MainLoop().run()
