//! What everybody may read of a running ledger, by its service; and, for those who lie, any log as the files of a static
//! tile log (C2SP tlog-tiles), and a server of files. What is true is published and served by the product itself.

use crate::session::Session;
use credit_log::hash::leaf_hash;
use credit_log::tile::{FullTile, TileEdge, TileKind, TilePath, encode_entries, encode_hashes};
use credit_proto::v1;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};

/// Entries of a bundle, and hashes of a tile.
const WIDTH: usize = 256;

/// The log under one checkpoint.
pub(crate) struct Published {
    /// The signed checkpoint.
    pub(crate) checkpoint: String,
    /// Its size.
    pub(crate) size: u64,
    /// The cores under it.
    pub(crate) cores: Vec<Vec<u8>>,
}

impl Published {
    /// Reads the newest checkpoint and all cores under it.
    pub(crate) async fn of(session: &Session<'_>) -> Self {
        let mut log = session.anyone().log();
        let answer =
            log.get_checkpoint(v1::GetCheckpointRequest {}).await.expect("a checkpoint").into_inner();
        let size = session.world.checkpoint(&answer.checkpoint).size;
        let mut cores = Vec::new();
        while (cores.len() as u64) < size {
            let start = cores.len() as u64;
            let request = v1::ListEntriesRequest { start, page_size: 1_000, with_parts: false };
            let page = log.list_entries(request).await.expect("entries").into_inner();
            cores.extend(page.entries.into_iter().map(|entry| entry.core));
        }
        cores.truncate(usize::try_from(size).expect("a size"));
        Self { checkpoint: answer.checkpoint, size, cores }
    }

    /// Writes checkpoint, tiles and bundles below a folder.
    pub(crate) fn write(&self, folder: &Path) {
        let put = |path: &str, bytes: &[u8]| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        };
        let path = |kind, index, width: usize| {
            TilePath { kind, index, width: u16::try_from(width).expect("a width") }.encode()
        };
        let mut edge = TileEdge::new();
        for core in &self.cores {
            for FullTile { level, index, hashes } in edge.append(leaf_hash(core)) {
                put(&path(TileKind::Hashes(level), index, WIDTH), &encode_hashes(&hashes));
            }
        }
        for (level, hashes) in (0u8..).zip(edge.edge()).filter(|(_, hashes)| !hashes.is_empty()) {
            let index = self.size >> (8 * (u32::from(level) + 1));
            put(&path(TileKind::Hashes(level), index, hashes.len()), &encode_hashes(hashes));
        }
        for (index, entries) in (0u64..).zip(self.cores.chunks(WIDTH)) {
            let bundle = encode_entries(entries).expect("a bundle");
            put(&path(TileKind::Entries, index, entries.len()), &bundle);
        }
        put("checkpoint", self.checkpoint.as_bytes());
    }
}

/// Serves the files below a folder over HTTP, as any web server does.
pub(crate) struct TileServer {
    /// Where.
    pub(crate) url: String,
}

impl TileServer {
    pub(crate) fn start(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A caller that breaks off has only itself to tell.
                let _ = answer(stream, &folder);
            }
        });
        Self { url }
    }
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let asked = Path::new(first.split(' ').nth(1).unwrap_or("/").trim_start_matches('/')).to_path_buf();
    let inside = asked.components().all(|part| matches!(part, Component::Normal(_)));
    let file = if inside { std::fs::read(folder.join(asked)).ok() } else { None };
    let (status, bytes) = file.map_or(("404 Not Found", Vec::new()), |bytes| ("200 OK", bytes));
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len())?;
    stream.write_all(&bytes)
}
