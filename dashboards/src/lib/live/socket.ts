import { backoff } from "./pace.ts";

export interface SocketEvents {
  opened(): void;
  closed(): void;
  message(bytes: ArrayBuffer): void;
}

/** A WebSocket that comes back: waits longer after every failure, and at once when the network returns. */
export class Socket {
  private socket: WebSocket | undefined;
  private attempt = 0;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly path: string,
    private readonly events: SocketEvents,
  ) {}

  open(): void {
    clearTimeout(this.waiting);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.path}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.attempt = 0;
      this.events.opened();
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.events.message(data);
    };
    socket.onclose = () => this.lost();
    this.socket = socket;
  }

  send(message: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private lost(): void {
    this.events.closed();
    this.waiting = setTimeout(() => this.open(), backoff(this.attempt++));
  }
}
