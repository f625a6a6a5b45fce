//! The page for people: made of a good and of a bad ledger, from every source, and the same verdict as on the terminal.

use crate::bank::text;
use crate::monitor::home_of;
use crate::office::copy;
use crate::publish::{shown, world_of};
use crate::session::World;
use std::path::Path;

/// Runs a verification that writes a page; gives the page, once it was seen that nothing in it is from elsewhere.
fn page(world: &World, home: &Path, code: i32, arguments: &[&str]) -> String {
    let file = world.bank.folder().join("page.html");
    let (home, html) = (shown(home), shown(&file));
    let arguments = [&["--home", &home, "verify"], arguments, &["--html", &html]].concat();
    let output = world.bank.run(&arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
    let page = std::fs::read_to_string(&file).expect("a page");
    std::fs::remove_file(&file).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html><html") && page.ends_with("</html>"), "{page}");
    for word in ["<script", "<link", "<img", "src=", "href=", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    assert_eq!(page.matches("class=\"zh\"").count(), page.matches("class=\"en\"").count());
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.contains(&world.origin));
    page
}

#[test]
fn a_page_is_made_of_every_source_and_tells_its_verdict() {
    let (world, size) = world_of(30);
    let home = home_of(&world.bank, "reader");
    let token = home.join("token");
    std::fs::write(&token, world.auditor_token()).expect("a token");
    let (url, service, token) = (world.bank.public_log(), world.bank.endpoint(), shown(&token));
    let cores = page(&world, &home, 0, &["--cores", "--url", &url]);
    assert!(
        cores.contains("What is public holds")
            && cores.contains(&format!("creditbank verify --cores --url {url}"))
    );
    let running = page(&world, &home, 0, &["--url", &service, "--token-file", &token]);
    assert!(running.contains(&format!("This ledger holds: all {size} entries")), "{running}");
    // The head that was seen by the first look stands on the line of time.
    assert!(running.contains("the head kept before") && running.contains("institutions, frameworks, keys"));
    assert!(world.bank.stop().success());
    // A folder whose name is a lie stays a name.
    let folder = world.bank.folder().join("copy <b> & 'co'");
    copy(&world.bank.home().join("ledger"), &folder);
    let whole = page(&world, &home, 0, &["--dir", &shown(&folder)]);
    assert!(whole.contains("verdict fine") && whole.contains("copy &lt;b&gt; &amp; '"), "{whole}");
    let export = world.bank.folder().join("export");
    world.bank.must(&["export", &shown(&export)]);
    let exported = page(&world, &home, 0, &["export", &shown(&export)]);
    assert!(exported.contains("verdict fine") && exported.contains("creditbank verify export"));
    // One byte of an entry is another.
    let file = export.join("entries").read_dir().expect("files").next().expect("one").expect("one").path();
    let mut bytes = std::fs::read(&file).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("a file");
    let broken = page(&world, &home, 3, &["export", &shown(&export)]);
    assert!(broken.contains("verdict broken") && broken.contains("What to do"), "{broken}");
    assert!(!broken.contains("verdict fine"));
    // A place where nothing can be written is told, and the verdict was.
    let output =
        world.bank.run(&["--home", &shown(&home), "verify", "export", &shown(&export), "--html", "/no/page"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
}
