/** `tastemaker songs`: timbre features of a folder of song files as one table. */
import type { Command } from "commander";
import { makeSongTable } from "../../service/song-table.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";

export function registerSongs(program: Command, context: CliContext): void {
  const command = program
    .command("songs <folder> <table>")
    .description("Make one table (.csv or .parquet) of the 90 timbre features of all song files (.h5) in a folder.");
  withCommonOptions(command)
    .addHelpText("after", examples("tastemaker songs MillionSongSubset/ songs.parquet"))
    .action(async (folder: string, table: string, { json }: CommonOptions) => {
      const made = await makeSongTable(folder, table, { signal: context.signal, onProgress: context.onProgress });
      if (json) return context.print(JSON.stringify(made));
      if (made.continuedFrom > 0) context.note(`Went on after ${made.continuedFrom} files.`);
      if (made.leftOut > 0) context.note(`Left out ${made.leftOut} files; for example ${made.example!.reason}`);
      context.note(`Wrote ${made.songs} songs to ${made.path}.`);
    });
}
