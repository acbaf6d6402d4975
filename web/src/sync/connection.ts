// The WebSocket of one document. It connects again when it closes, unless the page or a final close code ends it. After each
// failure it waits longer, up to five seconds.

const FIRST_RETRY_MS = 300;
const MAX_RETRY_MS = 5_000;
/** The close code for a connection that ended without a close frame (RFC 6455, section 7.4.1). */
const ABNORMAL_CLOSURE = 1006;

interface ConnectionHandlers {
  onopen(): void;
  onframe(frame: Uint8Array): void;
  /** Called when the socket has closed. Returns whether to connect again. */
  onclose(code: number, reason: string): boolean;
  /** Called when the socket closed without having opened. Browsers give no reason for that. */
  onfail(): void;
}

export class Connection {
  private socket: WebSocket | undefined;
  private retryMs = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isEnded = false;

  constructor(
    private readonly document: string,
    private readonly subprotocol: string,
    private readonly handlers: ConnectionHandlers,
  ) {
    window.addEventListener('online', this.handleOnline);
    window.addEventListener('offline', this.handleOffline);
  }

  connect(): void {
    if (this.isEnded || this.socket) return;
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
      if (this.socket === socket) this.handlers.onopen();
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (this.socket === socket) this.handlers.onframe(new Uint8Array(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.handleClose(event.code, event.reason);
      if (!opened && !this.isEnded) this.handlers.onfail();
    };
  }

  /** Sends a frame if the socket is open. Otherwise the frame is dropped: the client sends its edits after the next handshake. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
  }

  /** Makes the wait after the next failure short again. Must be called when the handshake with the server is complete. */
  resetRetryDelay(): void {
    this.retryMs = FIRST_RETRY_MS;
  }

  /** Closes the socket. A new one is then opened. */
  reconnect(): void {
    this.socket?.close();
  }

  /** Closes the socket for good. */
  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
    window.removeEventListener('online', this.handleOnline);
    window.removeEventListener('offline', this.handleOffline);
    this.socket?.close();
  }

  private handleClose(code: number, reason: string): void {
    this.socket = undefined;
    if (!this.handlers.onclose(code, reason) || this.isEnded) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.retryMs * (0.75 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, MAX_RETRY_MS);
  }

  private readonly handleOnline = () => {
    clearTimeout(this.timer);
    this.resetRetryDelay();
    this.connect();
  };

  private readonly handleOffline = () => {
    const socket = this.socket;
    if (!socket) return;
    socket.onclose = null;
    socket.close();
    this.handleClose(ABNORMAL_CLOSURE, '');
  };
}
