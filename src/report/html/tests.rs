//! What the page carries, and how much of it.

use super::*;

#[test]
fn nothing_of_the_data_can_end_its_element_or_reach_outside() {
    let page = filled(r#"{"name":"</script><img src=x onerror=1>/*JS*/{script-hash}"}"#);
    assert_eq!(page.matches("</script").count(), PAGE.matches("</script").count());
    assert!(page.contains(r#"\u003c/script>\u003cimg src=x onerror=1>/*JS*/{script-hash}"#));
}
