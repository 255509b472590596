// The one place that knows node-unix-socket: sends datagrams to the socket at which systemd listens. Node itself has no
// unix datagrams. What is said, and when, is reporter.ts's.

/** The socket of NOTIFY_SOCKET. */
export interface NotifySocket {
  /** Sends one message of lines `NAME=VALUE`; a failure is reported, never thrown. */
  send(message: string): void;
  /** Afterwards nothing keeps the process alive. */
  close(): void;
}

/**
 * @param path value of NOTIFY_SOCKET
 * @param onFailure told of every message that could not be sent
 * @throws Error when there are no unix datagrams on this platform, or for an abstract address
 */
export async function openNotifySocket(
  path: string,
  onFailure: (cause: Error) => void,
): Promise<NotifySocket> {
  if (!path.startsWith('/')) throw new Error(`NOTIFY_SOCKET "${path}" is no path of a socket file`);
  // Only where it is needed: there is no prebuilt binary for every platform that Node runs on.
  const { DgramSocket } = await import('node-unix-socket');
  const socket = new DgramSocket();
  socket.on('error', onFailure);
  return {
    send(message) {
      const bytes = Buffer.from(message);
      socket.sendTo(bytes, 0, bytes.length, path, (cause) => {
        if (cause !== undefined && cause !== null) onFailure(cause);
      });
    },
    close: () => socket.close(),
  };
}
