/**
 * What a file is known by after a restart or a rename: device and inode while it lives, the hash of its first bytes
 * when a path alone can't be trusted. Matched as a prefix: a file that has grown still has its old first bytes.
 */
export interface FileIdentity {
  /** Where it was last seen. */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** Length in bytes of the prefix that `prefixHash` covers; 0 when nothing had been read. */
  readonly prefixLength: number;
  readonly prefixHash: string;
  /** Largest size seen, in bytes. */
  readonly size: number;
}
