use std::collections::HashSet;

use super::*;

fn commit(number: u8) -> CommitId {
    CommitId::from_bytes([number; 20])
}

#[test]
fn seeds_are_those_of_the_definition() {
    // printf '%016x%s%016x' 1 "$(printf '01%.0s' $(seq 20))" 2 | xxd -r -p | sha256sum | cut -c-16
    assert_eq!(format!("{:016x}", trial_seed(1, &commit(1), 2)), "296e04e17ab4ce4e");
}

#[test]
fn every_part_matters() {
    let seeds: HashSet<u64> =
        (0..4).flat_map(|job| (0..4).flat_map(move |number| (0..4).map(move |n| trial_seed(job, &commit(number), n)))).collect();
    assert_eq!(seeds.len(), 64);
}

#[test]
fn words_stay_words() {
    let command = ["race", "{trial_seed}", "--at={commit}-{trial_seed}", "{other}"].map(str::to_owned);
    let text = "01".repeat(20);
    assert_eq!(
        fill(&command, 7, &commit(1)),
        ["race".to_owned(), "7".to_owned(), format!("--at={text}-7"), "{other}".to_owned()]
    );
}
