//! Git's commit-graph files (`gitformat-commit-graph`): parents and times of commits without reading the commits. Owns the format;
//! a file that is missing, of another version or damaged is as good as none.

use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kbisect_core::commit::CommitId;

use super::commit::Header;

const ID: usize = 20;

/// Bytes of commit data: the tree's id, two parents, generation and time.
const RECORD: usize = ID + 16;

/// In a parent's place: there is none.
const NO_PARENT: u32 = 0x7000_0000;

/// In the second parent's place: the rest is a place in the list of further parents. There: this is the last one.
const FURTHER: u32 = 0x8000_0000;

/// A generation that is at least this.
const GREATEST: u32 = 0x3fff_ffff;

/// One file; those of a chain count on from one another.
struct Layer {
    ids: Vec<u8>,
    records: Vec<u8>,
    further: Vec<u8>,
}

/// The commits of an object store's commit-graph file, or chain of files.
pub(super) struct CommitGraph {
    layers: Vec<Layer>,
}

impl CommitGraph {
    /// Reads what there is in an object store; `None` if there is nothing that can be used.
    pub(super) fn read(objects: &Path) -> Option<Self> {
        let info = objects.join("info");
        if let Some(layer) = Layer::read(&info.join("commit-graph"), 0) {
            return Some(Self { layers: vec![layer] });
        }
        let folder = info.join("commit-graphs");
        let chain = fs::read_to_string(folder.join("commit-graph-chain")).ok()?;
        let layers: Option<Vec<Layer>> = chain
            .lines()
            .enumerate()
            .map(|(below, hash)| Layer::read(&folder.join(format!("graph-{hash}.graph")), below))
            .collect();
        layers.filter(|layers| !layers.is_empty()).map(|layers| Self { layers })
    }

    /// Parents and time of a commit, if the files hold it.
    pub(super) fn header(&self, id: &CommitId) -> Option<Header> {
        self.layers.iter().find_map(|layer| layer.header(id, self))
    }

    /// The commit at a place counted over all layers.
    fn id(&self, place: u32) -> Option<CommitId> {
        let (layer, place) = self.at(place)?;
        Some(layer.id(place))
    }

    /// The generation of the commit at a place counted over all layers; 0 where it was not reckoned.
    fn generation(&self, place: u32) -> Option<u32> {
        let (layer, place) = self.at(place)?;
        Some(word(&layer.records, place * RECORD + ID + 8)? >> 2)
    }

    fn at(&self, mut place: u32) -> Option<(&Layer, usize)> {
        for layer in &self.layers {
            if place < layer.len() {
                return Some((layer, place as usize));
            }
            place -= layer.len();
        }
        None
    }
}

impl Layer {
    /// Reads a file that has `below` files under it.
    fn read(path: &Path, below: usize) -> Option<Self> {
        let file = File::open(path).ok()?;
        let size = file.metadata().ok()?.len();
        let read = |start: u64, end: u64| {
            if end > size {
                return None;
            }
            let mut bytes = vec![0; usize::try_from(end.checked_sub(start)?).ok()?];
            file.read_exact_at(&mut bytes, start).ok().map(|()| bytes)
        };
        let head = read(0, 8)?;
        let [b'C', b'G', b'P', b'H', 1, 1, chunks, bases] = head[..] else { return None };
        if usize::from(bases) != below {
            return None;
        }
        let table = read(8, 8 + (u64::from(chunks) + 1) * 12)?;
        let rows: Vec<(&[u8], u64)> = table
            .chunks(12)
            .map(|row| Some((&row[..4], u64::from_be_bytes(row[4..].try_into().ok()?))))
            .collect::<Option<_>>()?;
        let chunk = |name: &[u8; 4]| {
            let at = rows.iter().position(|(found, _)| found == name)?;
            read(rows[at].1, rows.get(at + 1)?.1)
        };
        let ids = chunk(b"OIDL")?;
        let records = chunk(b"CDAT")?;
        let sound =
            ids.len().is_multiple_of(ID) && records.len() == ids.len() / ID * RECORD && ids.len() / ID < NO_PARENT as usize;
        sound.then(|| Self { ids, records, further: chunk(b"EDGE").unwrap_or_default() })
    }

    fn len(&self) -> u32 {
        (self.ids.len() / ID) as u32
    }

    fn id(&self, place: usize) -> CommitId {
        CommitId::from_bytes(self.ids[place * ID..][..ID].try_into().expect("an id has 20 bytes"))
    }

    fn header(&self, id: &CommitId, graph: &CommitGraph) -> Option<Header> {
        let (rows, _) = self.ids.as_chunks::<ID>();
        let place = rows.binary_search(id.as_bytes()).ok()?;
        let record = &self.records[place * RECORD..][ID..RECORD];
        let (first, second, date) = (word(record, 0)?, word(record, 4)?, (word(record, 8)?, word(record, 12)?));
        let mut places = Vec::new();
        if first != NO_PARENT {
            places.push(first);
        }
        if second & FURTHER != 0 {
            let mut at = (second & !FURTHER) as usize * 4;
            loop {
                let place = word(&self.further, at)?;
                places.push(place & !FURTHER);
                if place & FURTHER != 0 {
                    break;
                }
                at += 4;
            }
        } else if second != NO_PARENT {
            places.push(second);
        }
        // Generations fall from child to parent where they were reckoned: a damaged file must not lead round in a circle.
        let own = date.0 >> 2;
        let falls = |place: u32| own == 0 || own == GREATEST || graph.generation(place).is_some_and(|parent| parent < own);
        if !places.iter().all(|place| falls(*place)) {
            return None;
        }
        let parents = places.into_iter().map(|place| graph.id(place)).collect::<Option<_>>()?;
        Some(Header { time: (i64::from(date.0 & 3) << 32) | i64::from(date.1), parents })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}
