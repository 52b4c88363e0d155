use std::collections::BTreeSet;

use super::*;
use crate::draw::Draw;
use crate::driver;
use crate::driver::CLASSES;
use crate::series::Pool;

fn everything() -> Catalog {
    let mut catalog = Catalog::new().expect("the sources parse");
    Pool::new(&mut catalog, 1).expect("the series parse");
    catalog.add_series("planted", sources::PLANTED).expect("the series parses");
    let mut draw = Draw::new(1);
    let mut names = Vec::new();
    for class in &CLASSES {
        let driver = driver::draw(class, &names, &mut draw);
        names.push(driver.name.clone());
        catalog.add_driver(&driver, &class.kind).expect("the driver's series parses");
    }
    catalog.link().expect("all steps that are named are there");
    catalog
}

#[test]
fn sources_and_series_name_the_same_steps_and_values() {
    let catalog = everything();
    let mut mentioned = BTreeSet::new();
    for source in &catalog.files {
        let name = |id: &str| source.driver.as_ref().map_or_else(|| id.to_owned(), |driver| format!("{driver}/{id}"));
        for step in source.template.steps() {
            assert!(catalog.by_id.contains_key(&name(step)), "{}: no step {step}", source.path);
            mentioned.insert(name(step));
        }
        for key in source.template.keys() {
            assert!(catalog.values.contains_key(&name(key)), "{}: no value {key}", source.path);
            mentioned.extend(catalog.values[&name(key)].set.iter().map(|(step, _)| catalog.steps[*step].id.clone()));
        }
    }
    for step in &catalog.steps {
        let undone = step.undoes.as_ref().is_some_and(|undone| mentioned.contains(undone));
        assert!(undone || mentioned.contains(&step.id), "no source has step {}", step.id);
    }
}

#[test]
fn every_step_can_be_reached() {
    let catalog = everything();
    let mut taken = Taken::default();
    for _ in &catalog.steps {
        for step in 0..catalog.steps.len() {
            if catalog.possible(step, &taken) {
                taken.insert(step);
            }
        }
    }
    let missing: Vec<&str> = (0..catalog.steps.len()).filter(|&s| !taken.has(s)).map(|s| catalog.step(s).id.as_str()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn subjects_and_bodies_keep_to_the_width_of_a_mail() {
    for step in &everything().steps {
        assert!(step.subject.len() <= 75, "{}", step.subject);
        assert!(step.body.lines().all(|line| line.len() <= 75), "{}", step.body);
        assert!(!step.subject.contains("@{") && !step.body.contains("@{"), "{}", step.subject);
    }
}

#[test]
fn taken_steps_are_a_set() {
    let mut a = Taken::default();
    let mut b = Taken::default();
    a.insert(3);
    b.insert(200);
    a.union(&b);
    assert!(a.has(3) && a.has(200) && !a.has(4) && !a.has(1000));
    assert_eq!(a.beyond(&b), [3]);
    assert_eq!(b.beyond(&a), [0usize; 0]);
}
