// The few parts of Node that the examples use, so that they compile without its package of types.
declare module "node:child_process" {
  export function execFileSync(file: string, args: string[], options: { encoding: "utf8"; env: Record<string, string | undefined> }): string;
}
declare module "node:fs" {
  export function writeFileSync(path: string, content: Uint8Array): void;
}
declare module "node:process" {
  export const env: Record<string, string | undefined>;
}
