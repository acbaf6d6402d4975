// The WebSocket of one document. It connects again whenever it closes, and waits longer after each failure.

const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 5_000;
/** The close code of a connection that ended without one. */
const ABNORMAL = 1006;

interface Events {
  opened(): void;
  frame(frame: Uint8Array): void;
  /** Called when the socket has closed. Returns whether to connect again. */
  closed(code: number, reason: string): boolean;
  /** Called when the socket closed without having opened. Browsers give no reason for that. */
  failed(): void;
}

export class Connection {
  private socket: WebSocket | undefined;
  private retryMs = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  constructor(
    private readonly document: string,
    private readonly subprotocol: string,
    private readonly events: Events,
  ) {
    window.addEventListener('online', this.online);
    window.addEventListener('offline', this.offline);
  }

  connect(): void {
    if (this.ended || this.socket) return;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(
      `${scheme}://${location.host}/sync/${encodeURIComponent(this.document)}`,
      this.subprotocol,
    );
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (this.socket === socket) this.events.opened();
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (this.socket === socket) this.events.frame(new Uint8Array(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.closed(event.code, event.reason);
      if (!opened && !this.ended) this.events.failed();
    };
  }

  /** Sends a frame if the socket is open. Otherwise the frame is dropped: the client sends its edits after the next handshake. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
  }

  /** Makes the wait after the next failure short again. Must be called when the handshake with the server is complete. */
  established(): void {
    this.retryMs = FIRST_RETRY_MS;
  }

  /** Closes the socket, so that it connects again. */
  reset(): void {
    this.socket?.close();
  }

  /** Closes the socket for good. */
  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    window.removeEventListener('online', this.online);
    window.removeEventListener('offline', this.offline);
    this.socket?.close();
  }

  private closed(code: number, reason: string): void {
    this.socket = undefined;
    if (!this.events.closed(code, reason) || this.ended) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.retryMs * (0.75 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
  }

  private readonly online = () => {
    clearTimeout(this.timer);
    this.established();
    this.connect();
  };

  private readonly offline = () => {
    const socket = this.socket;
    if (!socket) return;
    socket.onclose = null;
    socket.close();
    this.closed(ABNORMAL, '');
  };
}
