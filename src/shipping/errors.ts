import { PoundlockError } from "../base/index.js";

/** The store changed its generation, or its mind, each time that a shipment was sent. The next one has the same differences. */
export class ShippingUnsettledError extends PoundlockError {
  readonly code = "SHIPPING_UNSETTLED";
  override readonly retryable = true;

  constructor(source: string, attempts: number) {
    super(`Cannot ship metrics as ${source}: the store changed under each of ${attempts} settlements`);
  }
}
