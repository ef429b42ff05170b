/** A request that the shop refuses; `message` is for whoever asked. */
export class ShopError extends Error {
  override readonly name = 'ShopError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
