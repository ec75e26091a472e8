/** The package finds its kernels beside its own files, so it stays outside the server's bundle. */
export default { serverExternalPackages: ["tastemaker"] };
